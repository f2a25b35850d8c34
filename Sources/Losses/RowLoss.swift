extension RowLoss {
  /// L = Σ wᵢ Lᵢ / N over a batch, summed in Double over a fixed tree.
  ///
  /// Predictions and targets are n items of `width` numbers one after the other: a row of classes each,
  /// or a region of pixels and channels. A loss whose target is one number an item has n targets.
  ///
  /// - Parameters:
  ///   - predictions: the items' predictions.
  ///   - targets: as many numbers.
  ///   - width: the numbers in one item's prediction.
  ///   - weights: wᵢ, one an item; all are 1 without.
  ///   - normalizer: N.
  ///   - validation: whether weights are looked at.
  /// - Throws: `LossError` for a size that does not fit, a weight or normalizer that is negative or
  ///   not finite, a mean of no items, and a loss that takes class indices.
  public func callAsFunction<Input: Numbers & ~Escapable>(
    _ predictions: Input, _ targets: Input, width: Int, weights: Input? = nil,
    normalizer: Normalizer = .sum, validation: Validation = .checked
  ) throws(LossError) -> Double where Input.Element: LaneElement {
    try evaluate(predictions, targets, width, weights, normalizer, validation)
  }

  /// L, with its gradient in the predictions, (wᵢ / N) ∂Lᵢ/∂x, written to `gradient`.
  ///
  /// - Parameter gradient: as many numbers as `predictions`, and not the same memory.
  /// - Throws: as for the value alone. What `gradient` holds is then unchanged.
  public func value<Input: Numbers & ~Escapable, Output: MutableNumbers & ~Copyable & ~Escapable>(
    _ predictions: Input, _ targets: Input, width: Int, weights: Input? = nil,
    normalizer: Normalizer = .sum, validation: Validation = .checked, gradient: inout Output
  ) throws(LossError) -> Double where Input.Element: LaneElement, Output.Element == Input.Element {
    try gradient.withMutableNumbers { gradient throws(LossError) in
      try evaluate(
        predictions, targets, width, weights, normalizer, validation, gradient: gradient)
    }
  }

  /// L and its gradient, in a new array.
  public func valueAndGradient<Input: Numbers & ~Escapable>(
    _ predictions: Input, _ targets: Input, width: Int, weights: Input? = nil,
    normalizer: Normalizer = .sum, validation: Validation = .checked
  ) throws(LossError) -> (value: Double, gradient: [Input.Element])
  where Input.Element: LaneElement {
    var gradient = zeros(predictions.withNumbers { $0.count }, of: Input.self)
    let value = try value(
      predictions, targets, width: width, weights: weights, normalizer: normalizer,
      validation: validation, gradient: &gradient)
    return (value, gradient)
  }

  /// Each item's own loss Lᵢ, unweighted, written to `values`: one number an item.
  public func values<Input: Numbers & ~Escapable, Output: MutableNumbers & ~Copyable & ~Escapable>(
    _ predictions: Input, _ targets: Input, width: Int, into values: inout Output
  ) throws(LossError) where Input.Element: LaneElement, Output.Element == Input.Element {
    try values.withMutableNumbers { values throws(LossError) in
      _ = try evaluate(predictions, targets, width, nil, .sum, .trusted, values: values)
    }
  }

  /// Each item's own loss, in a new array.
  public func values<Input: Numbers & ~Escapable>(
    _ predictions: Input, _ targets: Input, width: Int
  ) throws(LossError) -> [Input.Element] where Input.Element: LaneElement {
    var values = zeros(
      predictions.withNumbers { $0.count / Swift.max(1, width) }, of: Input.self)
    try self.values(predictions, targets, width: width, into: &values)
    return values
  }
}
