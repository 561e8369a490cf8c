"""Scores of a model on folders of pictures with known mattes."""
