"""The one style sheet: colours as variables, for light and dark, screen and paper."""

from __future__ import annotations

from typing import Final

from cxkit.plot.colours import DARK, LIGHT

__all__ = ["style_sheet"]

_RULES: Final = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",
Arial,sans-serif}
main{max-width:76rem;margin:0 auto;padding:1rem 1rem 3rem}
h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0;overflow-wrap:anywhere}
h2{font-size:1.3rem;line-height:1.25;margin:0 0 .4rem}
h3{font-size:1rem;margin:1rem 0 .3rem}
p{margin:.4rem 0;max-width:48rem;overflow-wrap:anywhere}
a{color:var(--link)}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1rem;list-style:none;margin:.8rem 0;padding:0}
nav a{display:inline-block;padding:.2rem 0}
section{border-top:1px solid var(--line);padding-top:1.2rem;margin-top:1.6rem}
.caution{color:var(--muted);border-left:3px solid var(--line);padding-left:.7rem}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.6rem;
margin:.8rem 0}
.facts div{background:var(--panel);border-radius:.4rem;padding:.5rem .7rem;overflow-wrap:anywhere}
.facts dt{color:var(--muted);font-size:.85rem}
.facts dd{margin:0;font-size:1.15rem;font-weight:600;font-variant-numeric:tabular-nums}
.blocks{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));
gap:1rem 2rem;align-items:start}
.blocks>*{min-width:0}
.wide{grid-column:1/-1}
.tall{grid-row:span 4}
figure{margin:.6rem 0;max-width:33rem}
figcaption{font-weight:600;margin-bottom:.5rem;overflow-wrap:anywhere}
.scroll{overflow-x:auto;margin:.6rem 0}
.scroll:focus-visible{outline:2px solid var(--link)}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.92rem}
caption{text-align:left;font-weight:600;padding:.1rem 0 .4rem}
caption span{display:inline-block;position:sticky;left:0;max-width:min(33rem,calc(100vw - 2rem));
overflow-wrap:anywhere}
th,td{padding:.28rem .6rem .28rem 0;border-bottom:1px solid var(--line);text-align:left;
vertical-align:top}
th{font-weight:600}
td.n,th.n{text-align:right;padding-left:.3rem}
td.n{white-space:nowrap}
thead th{color:var(--muted);vertical-align:bottom}
tbody th{font-weight:400}
td.l,tbody th{min-width:7.5rem;max-width:24rem;overflow-wrap:anywhere}
.wide td.l{min-width:6rem}
.note{color:var(--muted);font-size:.88rem}
ol.people{list-style:none;margin:.6rem 0;padding:0}
ol.people>li{border-bottom:1px solid var(--line)}
summary{cursor:pointer;padding:.55rem 0;overflow-wrap:anywhere}
summary .score{font-weight:600}
details>.scroll{margin-left:1rem}
.drawn{grid-column:1/-1;max-width:none}
svg.chart{display:block;width:100%;height:auto;overflow:hidden}
.chart text{fill:var(--ink);font-family:inherit;unicode-bidi:plaintext}
.chart .name{font-weight:600}
.chart .muted{fill:var(--muted)}
.chart .corner{fill:var(--muted);font-style:italic}
.chart .halo{paint-order:stroke;stroke:var(--bg);stroke-width:3px;stroke-linejoin:round}
.chart .fill{fill:var(--fill)}
.chart .track{fill:var(--track)}
.chart .dot{fill:var(--s1)}
.chart .frame{fill:none;stroke:var(--line)}
.chart .split{stroke:var(--muted);stroke-dasharray:4 3;fill:none}
.chart .whisker{stroke:var(--ink);stroke-width:1.2;fill:none}
.chart .leader{stroke:var(--muted);stroke-width:.8;fill:none}
footer{margin-top:2rem;color:var(--muted);font-size:.88rem}
@media print{
main{max-width:none;padding:0}
nav{display:none}
body{font-size:11pt}
.scroll{overflow:visible}
figure,.facts div,tr,details{break-inside:avoid}
h2,h3,figcaption,caption{break-after:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""


def style_sheet() -> str:
    """The style sheet, without any address of another file."""
    dark = _variables(DARK)
    series = "\n".join(
        f".chart .{name}{{fill:var(--{name})}}" for name in LIGHT if name[1:].isdigit()
    )
    return (
        f":root{{color-scheme:light dark;{_variables(LIGHT)}}}\n"
        # Paper is white, whatever the screen is.
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
        f"{_RULES}{series}\n"
    )


def _variables(colours: dict[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in colours.items())
