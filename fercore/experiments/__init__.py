"""Question 5: explanations as experiments, from what is compared to the verdict in words."""
