/// The mean of the IoU loss over a training, as `WiseIoU` compares its pairs with: a value to pass on
/// from batch to batch, and to store in a checkpoint.
///
///     mean ← (1 − m) mean + m · (mean of the batch)
///
/// The author's code starts from 1, has a fixed m of 0.01, updates before use, and in training only.
public struct RunningMean: Sendable, Equatable, Codable {
  public var value: Double
  /// m, from 0 to 1.
  public var momentum: Double

  public init(value: Double = 1, momentum: Double = 0.01) {
    self.value = value
    self.momentum = momentum
  }

  /// A mean whose start has the weight `share` left after a number of updates: m = 1 − share^(1/updates).
  ///
  /// The paper's is 0.05 after t epochs of n batches, updates = t n; the ports' 0.5 after 7000.
  public init(value: Double = 1, leaving share: Double, after updates: Int) {
    // 1 − m is near 1, where the power would lose the digits of m.
    self.init(value: value, momentum: -.expm1(.log(share) / Double(updates)))
  }

  /// The mean after a batch.
  ///
  /// - Parameter losses: 1 − IoU of the batch's pairs, unweighted. What is not finite is left out: one
  ///   NaN would otherwise stay for ever. Of no finite losses nothing changes.
  public func updated(by losses: some Sequence<some BinaryFloatingPoint>) -> Self {
    var (sum, count) = (0.0, 0)
    for loss in losses where loss.isFinite {
      sum += Double(loss)
      count += 1
    }
    guard count > 0 else { return self }
    var next = self
    next.value += momentum * (sum / Double(count) - value)
    return next
  }
}
