//! Tasks, recurrence, reminders and the search query as pure decisions.
