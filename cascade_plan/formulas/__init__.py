"""The mathematics: floats or arrays in, floats or arrays out, each with its source."""
