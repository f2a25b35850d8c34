/// N in L = Σ wᵢ Lᵢ / N.
public enum Normalizer: Sendable, Equatable {
  /// N = 1. An empty batch is 0.
  case sum
  /// N = the number of items that are not ignored. A mean of none is an error.
  case mean
  /// N = Σ wᵢ over the items that are not ignored, which is their number without weights. An error
  /// where it is 0.
  case weightSum
  /// N as given, positive and finite: an average factor, a sum of scores. An empty batch is 0.
  case value(Double)
}

/// What is checked of a batch's values; shapes and class indices always are.
public enum Validation: Sendable, Equatable {
  /// Boxes must not be inverted, weights must be finite and not negative.
  case checked
  /// The caller knows that they are not.
  case trusted
}
