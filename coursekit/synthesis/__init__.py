"""Images made by a network: objectives, parameterisations, transforms, regularisers, and one loop."""
