"""Scores of models and predictions on pictures with known mattes, and the report of them."""
