"""The mathematics: floats and arrays in and out, each with its source."""
