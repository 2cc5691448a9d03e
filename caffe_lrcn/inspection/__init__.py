"""Looking at nets without running them: shapes, problems, costs, pictures; and at word streams."""
