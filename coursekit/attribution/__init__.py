"""Where did the network look? Each method maps (model, images, target) to a signed, unnormalised tensor."""
