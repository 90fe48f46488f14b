"""What owners and managers are told: reminders and the weekly digest."""
