"""The database's history, run by `wamtrail db upgrade`. A migration that has landed is never edited."""
