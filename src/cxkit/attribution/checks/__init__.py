"""How far an attribution can be trusted: audit, and calibration to experiments."""
