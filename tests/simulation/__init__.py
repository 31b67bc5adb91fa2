"""The whole system in a storm that is drawn from a seed, judged by the promises and nothing else."""
