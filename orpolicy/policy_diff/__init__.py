"""What a change of policies weakens: two policy sets held against each other, with figures where asked."""
