"""Results: reports, experiments, conversions and past opens."""
