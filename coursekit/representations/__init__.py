"""What is alike, and which direction matters?

Codes of many images: neighbours, projections, concept activation vectors and their test, concepts found without a list.
Most of it is arithmetic on `codes = ck.embed(model, images, "conv5")`, such as `ck.neighbours(codes, 5)`.
"""

PUBLIC = {  # file -> the names of it that `ck.` has
    "concepts": "cav Cav tcav_score sort_by_concept",
    "dictionary": (
        "discover_concepts FoundConcepts delete_concepts ConceptDeletion sobol_indices "
        "sparse_dictionary SparseDictionary"
    ),
    "embedding": "neighbours precision_at_k project trustworthiness grid_layout",
    "tcav": "tcav_test TcavTest",
    "tour": "grand_tour Tour",
}
