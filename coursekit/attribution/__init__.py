"""Where?

Each method maps (model, images, target) to a signed, unnormalised tensor: `ck.saliency(model, image)` explains the top
class, `ck.saliency(model, image, 340)` the zebra.
"""

PUBLIC = {  # file -> the names of it that `ck.` has
    "backward_rules": "guided_backprop deconvnet",
    "cam": "cam grad_cam hires_cam layer_cam guided_grad_cam",
    "fills": "",
    "fullgrad": "fullgrad",
    "gradients": "input_gradient input_x_gradient saliency smoothgrad integrated_gradients completeness_gap",
    "methods": "eleven all_methods",
    "occlusion": "occlusion occlusion_grid OcclusionGrid",
    "reading": "importance",
    "relevance": "relevance",
    "rise": "rise",
    "reference": "random_map edge_map centre_map",
}
