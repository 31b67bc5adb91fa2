"""What every page of the desk is made of: scoped lists, actions with a reason, bulk runs, exports."""
