extension ClassLoss {
  /// L = Σ wᵢ Lᵢ / N over a batch with class indices for targets, summed in Double over a fixed tree.
  ///
  /// - Parameters:
  ///   - predictions: n rows of `classes` numbers.
  ///   - targets: n class indices, 0 ..< classes.
  ///   - classes: the numbers in a row.
  ///   - ignoring: an index that marks a row as none: it has value 0, gradient 0, and no part in N.
  ///   - weights: wᵢ, one a row; all are 1 without.
  ///   - normalizer: N.
  ///   - validation: whether weights are looked at; indices always are.
  /// - Throws: `LossError` for a size that does not fit, an index out of range, a weight or normalizer
  ///   that is negative or not finite, a mean of no rows, and a loss that takes no class indices.
  public func callAsFunction<Input: Numbers & ~Escapable, Targets: Numbers<Int> & ~Escapable>(
    _ predictions: Input, _ targets: Targets, classes: Int, ignoring: Int? = nil,
    weights: Input? = nil, normalizer: Normalizer = .sum, validation: Validation = .checked
  ) throws(LossError) -> Double where Input.Element: LaneElement {
    try evaluate(predictions, targets, classes, ignoring, weights, normalizer, validation)
  }

  /// L, with its gradient in the predictions, (wᵢ / N) ∂Lᵢ/∂x, written to `gradient`.
  ///
  /// - Parameter gradient: as many numbers as `predictions`, and not the same memory.
  /// - Throws: as for the value alone. What `gradient` holds is then unchanged.
  public func value<
    Input: Numbers & ~Escapable, Targets: Numbers<Int> & ~Escapable,
    Output: MutableNumbers & ~Copyable & ~Escapable
  >(
    _ predictions: Input, _ targets: Targets, classes: Int, ignoring: Int? = nil,
    weights: Input? = nil, normalizer: Normalizer = .sum, validation: Validation = .checked,
    gradient: inout Output
  ) throws(LossError) -> Double where Input.Element: LaneElement, Output.Element == Input.Element {
    try gradient.withMutableNumbers { gradient throws(LossError) in
      try evaluate(
        predictions, targets, classes, ignoring, weights, normalizer, validation,
        gradient: gradient)
    }
  }

  /// L and its gradient, in a new array.
  public func valueAndGradient<
    Input: Numbers & ~Escapable, Targets: Numbers<Int> & ~Escapable
  >(
    _ predictions: Input, _ targets: Targets, classes: Int, ignoring: Int? = nil,
    weights: Input? = nil, normalizer: Normalizer = .sum, validation: Validation = .checked
  ) throws(LossError) -> (value: Double, gradient: [Input.Element])
  where Input.Element: LaneElement {
    var gradient = zeros(predictions.withNumbers { $0.count }, of: Input.self)
    let value = try value(
      predictions, targets, classes: classes, ignoring: ignoring, weights: weights,
      normalizer: normalizer, validation: validation, gradient: &gradient)
    return (value, gradient)
  }

  /// Each row's own loss Lᵢ, unweighted, written to `values`: one number a row.
  public func values<
    Input: Numbers & ~Escapable, Targets: Numbers<Int> & ~Escapable,
    Output: MutableNumbers & ~Copyable & ~Escapable
  >(
    _ predictions: Input, _ targets: Targets, classes: Int, ignoring: Int? = nil,
    into values: inout Output
  ) throws(LossError) where Input.Element: LaneElement, Output.Element == Input.Element {
    try values.withMutableNumbers { values throws(LossError) in
      _ = try evaluate(
        predictions, targets, classes, ignoring, nil, .sum, .trusted, values: values)
    }
  }

  /// Each row's own loss, in a new array.
  public func values<Input: Numbers & ~Escapable, Targets: Numbers<Int> & ~Escapable>(
    _ predictions: Input, _ targets: Targets, classes: Int, ignoring: Int? = nil
  ) throws(LossError) -> [Input.Element] where Input.Element: LaneElement {
    var values = zeros(targets.withNumbers { $0.count }, of: Input.self)
    try self.values(predictions, targets, classes: classes, ignoring: ignoring, into: &values)
    return values
  }
}
