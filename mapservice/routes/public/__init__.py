"""For the public: the map, the look-up pages, what the data is."""
