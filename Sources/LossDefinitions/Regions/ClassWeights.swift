extension WeightedIoU {
  /// How the weights of background and foreground follow from their shares of a batch's pixels.
  public enum Balance: String, Sendable, CaseIterable {
    /// w_c = N / n_c: the inverse of the class's share.
    case plain
    /// The plain weights over their sum, so that they add up to 1: each class gets the other's share.
    case normalized
  }

  /// The loss with weights from a batch's targets: n_fg = Σ t and n_bg = Σ (1 − t) of N pixels.
  ///
  /// A class that does not occur has no pixel to weigh: its weight is 0, and under `normalized` the
  /// other's is 1.
  public init<Element: BinaryFloatingPoint>(
    balancing targets: some Sequence<Element>, _ balance: Balance = .normalized,
    smooth: Double = 1e-7
  ) {
    var (background, foreground) = (0.0, 0.0)
    for t in targets {
      foreground += Double(t)
      background += 1 - Double(t)
    }
    let count = background + foreground
    func inverse(_ n: Double) -> Double { n == 0 ? 0 : count / n }
    self.init(
      background: inverse(background), foreground: inverse(foreground), smooth: smooth)
    if balance == .normalized, count != 0 {
      // (N / n_bg) / (N / n_bg + N / n_fg) = n_fg / N.
      backgroundWeight = foreground == 0 ? 1 : background == 0 ? 0 : foreground / count
      foregroundWeight = background == 0 ? 1 : foreground == 0 ? 0 : background / count
    }
  }
}
