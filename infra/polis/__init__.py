"""Real conversations, played again: exports of Pol.is (https://compdemocracy.org/export) through the public API, or
straight through the domain. What comes out is compared with the file, counted by the csv module alone."""
