"""The exchange in a box: matching, accounts, filters, quotas, ledger; pure, with the time as an argument."""
