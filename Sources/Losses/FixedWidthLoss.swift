extension FixedWidthLoss {
  /// L = Σ wᵢ Lᵢ / N over a batch, summed in Double over a fixed tree.
  ///
  /// Predictions and targets are n items one after the other: n x 4 corners x1, y1, x2, y2 in any unit
  /// for a box loss, n x 5 numbers x, y, w, h, θ for a rotated box loss, n numbers for an element loss.
  /// A keypoint loss has n x 2 predicted places and n x 4 targets x, y, σ, area.
  ///
  /// - Parameters:
  ///   - predictions: the items' predictions.
  ///   - targets: as many numbers; four a keypoint.
  ///   - weights: wᵢ, one an item; all are 1 without.
  ///   - normalizer: N.
  ///   - validation: whether boxes and weights are looked at.
  /// - Throws: `LossError` for a size that does not fit, an inverted box, a negative side, a weight or
  ///   normalizer that is negative or not finite, and a mean of no items.
  public func callAsFunction<Input: Numbers & ~Escapable>(
    _ predictions: Input, _ targets: Input, weights: Input? = nil, normalizer: Normalizer = .sum,
    validation: Validation = .checked
  ) throws(LossError) -> Double where Input.Element: LaneElement {
    try evaluate(predictions, targets, Self.width, weights, normalizer, validation)
  }

  /// L, with its gradient in the predictions, (wᵢ / N) ∂Lᵢ/∂x, written to `gradient`; allocates nothing.
  ///
  /// - Parameter gradient: as many numbers as `predictions`, and not the same memory.
  /// - Throws: as for the value alone. What `gradient` holds is then unchanged.
  public func value<Input: Numbers & ~Escapable, Output: MutableNumbers & ~Copyable & ~Escapable>(
    _ predictions: Input, _ targets: Input, weights: Input? = nil, normalizer: Normalizer = .sum,
    validation: Validation = .checked, gradient: inout Output
  ) throws(LossError) -> Double where Input.Element: LaneElement, Output.Element == Input.Element {
    try gradient.withMutableNumbers { gradient throws(LossError) in
      try evaluate(
        predictions, targets, Self.width, weights, normalizer, validation, gradient: gradient)
    }
  }

  /// L and its gradient, in a new array.
  public func valueAndGradient<Input: Numbers & ~Escapable>(
    _ predictions: Input, _ targets: Input, weights: Input? = nil, normalizer: Normalizer = .sum,
    validation: Validation = .checked
  ) throws(LossError) -> (value: Double, gradient: [Input.Element])
  where Input.Element: LaneElement {
    var gradient = zeros(predictions.withNumbers { $0.count }, of: Input.self)
    let value = try value(
      predictions, targets, weights: weights, normalizer: normalizer, validation: validation,
      gradient: &gradient)
    return (value, gradient)
  }

  /// Each item's own loss Lᵢ, unweighted, written to `values`: one number an item.
  public func values<Input: Numbers & ~Escapable, Output: MutableNumbers & ~Copyable & ~Escapable>(
    _ predictions: Input, _ targets: Input, validation: Validation = .checked,
    into values: inout Output
  ) throws(LossError) where Input.Element: LaneElement, Output.Element == Input.Element {
    try values.withMutableNumbers { values throws(LossError) in
      _ = try evaluate(predictions, targets, Self.width, nil, .sum, validation, values: values)
    }
  }

  /// Each item's own loss, in a new array.
  public func values<Input: Numbers & ~Escapable>(
    _ predictions: Input, _ targets: Input, validation: Validation = .checked
  ) throws(LossError) -> [Input.Element] where Input.Element: LaneElement {
    var values = zeros(predictions.withNumbers { $0.count / Self.width }, of: Input.self)
    try self.values(predictions, targets, validation: validation, into: &values)
    return values
  }
}
