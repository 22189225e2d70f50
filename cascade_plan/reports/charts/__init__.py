"""Plug-ins: charts as Vega-Lite specifications, one each."""
