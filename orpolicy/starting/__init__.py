"""The first files of a team: proposed from its own figures where there are any."""
