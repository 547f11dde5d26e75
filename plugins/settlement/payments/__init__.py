"""From what is due to money on its way: request, approval, instruction, bank file."""
