"""What of the warehouse an increment has to make anew, and how: decision 26.

A full build makes every relation from all rows. After an hour's deliveries nearly all of them would be what they were, so
an increment first finds out what the new rows touch (dbt_project/increments/): messages, then everybody whom they concern,
then days. A model that says in its config by which keys it is `touched` then reads only the slice of its parents that
belongs to these keys, and only its rows of these keys are replaced. Its SQL is the same; only the names of its parents are
others. All other models are small, and made whole.

Nothing is guessed: where a parent that has no slice turns out to be another than before, the model is made whole, and so
is what stands on it.
"""
