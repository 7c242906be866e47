"""KPIs, cohorts and times between orders, collapsed in the query engine."""
