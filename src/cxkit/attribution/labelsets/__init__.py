"""Models that look at which labels a path touched: Shapley games, the counterfactual."""
