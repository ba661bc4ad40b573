//! The simulation: an ECS world advanced tick by tick through events.
