"""Building blocks of desk pages: scoped lists, reasoned actions, bulk runs, exports."""
