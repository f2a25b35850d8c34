/// Wise IoU in training, where the running mean is kept from batch to batch.
///
///     var state = RunningMean()
///     let loss = WiseIoU(.v3)
///     let value = try loss.value(predictions, targets, state: &state, gradient: &gradient)
///
/// To evaluate, set `mean` to the state's value and call the loss as any other.
extension WiseIoU {
  /// L = Σ wᵢ Lᵢ / N over a batch, with its gradient, after the mean has taken in the batch's own 1 − IoU.
  ///
  /// Those are unweighted, and what is not finite among them is left out. Allocates one number an item.
  ///
  /// - Parameters:
  ///   - state: the running mean, which is updated, and then stands for `mean`.
  ///   - gradient: as many numbers as `predictions`, and not the same memory.
  /// - Throws: as for the value alone. `state` and `gradient` are then unchanged.
  public func value<Input: Numbers & ~Escapable, Output: MutableNumbers & ~Copyable & ~Escapable>(
    _ predictions: Input, _ targets: Input, weights: Input? = nil, normalizer: Normalizer = .sum,
    validation: Validation = .checked, state: inout RunningMean, gradient: inout Output
  ) throws(LossError) -> Double where Input.Element: LaneElement, Output.Element == Input.Element {
    let overlaps = try overlap.values(predictions, targets, validation: validation)
    let next = state.updated(by: overlaps)
    var loss = self
    loss.mean = next.value
    let value = try loss.value(
      predictions, targets, weights: weights, normalizer: normalizer, validation: validation,
      gradient: &gradient)
    state = next
    return value
  }

  /// The same, with the gradient in a new array.
  public func valueAndGradient<Input: Numbers & ~Escapable>(
    _ predictions: Input, _ targets: Input, weights: Input? = nil, normalizer: Normalizer = .sum,
    validation: Validation = .checked, state: inout RunningMean
  ) throws(LossError) -> (value: Double, gradient: [Input.Element])
  where Input.Element: LaneElement {
    var gradient = zeros(predictions.withNumbers { $0.count }, of: Input.self)
    let value = try value(
      predictions, targets, weights: weights, normalizer: normalizer, validation: validation,
      state: &state, gradient: &gradient)
    return (value, gradient)
  }
}
