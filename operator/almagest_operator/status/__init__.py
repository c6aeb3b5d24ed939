"""What an archive's user is told: conditions, components and Events, computed purely, written when they differ."""
