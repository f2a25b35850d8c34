extension BalancedL1 {
  public static let laws: [Law<Self>] = [
    .nonNegative.restricted("L ≥ 0, but for Libra's form at β > 1") {
      $0.form == .smooth || $0.beta <= 1
    },
    .zeroAtTarget, .symmetric,
    .convex.restricted("L is convex in x, where its slope is continuous") { $0.isSmooth },
    .inequality("γ |x − t| − β (α − γ / b) ≤ L ≤ γ |x − t|, where its slope is continuous") {
      loss, item, values in
      guard loss.isSmooth else { return [] }
      let (α, β, γ) = loss.intervals
      let far = γ * values.loose(L1(), item)
      let value = values.loose(loss, item)
      return [(value, far - β * (α - γ / loss.growth)), (far, value)]
    },
    .inequality("2 β L ≤ α b (x − t)², where its slope is continuous") { loss, item, values in
      guard loss.isSmooth else { return [] }
      let (α, β, _) = loss.intervals
      let square = values.loose(MeanSquaredError(), item)
      return [(α * loss.growth * square, 2 * β * values.loose(loss, item))]
    },
    Law("both forms are one at β = 1") { loss, item, values in
      guard loss.beta == 1 else { return .holds }
      var other = loss
      other.form = loss.form == .libra ? .smooth : .libra
      return .equal(values.loose(loss, item), values.loose(other, item))
    },
    Law("L(2x, 2t) at 2β = 2 L(x, t) at β, where its slope is continuous") { loss, item, values in
      guard loss.isSmooth else { return .holds }
      var (here, wide) = (loss, loss)
      here.form = .smooth
      wide.form = .smooth
      wide.beta = 2 * loss.beta
      let twice = Item([2 * item.prediction[0]], [2 * item.target[0]])
      return .equal(values.loose(wide, twice), 2 * values.loose(here, item))
    },
    Law("L at 2α, 2γ = 2 L at α, γ") { loss, item, values in
      var twice = loss
      twice.alpha = 2 * loss.alpha
      twice.gamma = 2 * loss.gamma
      return .equal(values.loose(twice, item), 2 * values.loose(loss, item))
    },
  ]

  private var isSmooth: Bool { form == .smooth || beta == 1 }

  /// α, β and γ.
  private var intervals: (Interval<DoubleDouble>, Interval<DoubleDouble>, Interval<DoubleDouble>) {
    (Interval(alpha), Interval(beta), Interval(gamma))
  }

  /// b.
  private var growth: Interval<DoubleDouble> { .expm1(intervals.2 / intervals.0) }

  public static var configurations: [Configuration<Self>] {
    gridConfigurations
      + [0.11, 0.5, 2, 4].map { beta in
        var loss = Self()
        loss.form = .libra
        loss.beta = beta
        return Configuration("Libra's form, beta = \(beta)", loss)
      }
  }
}
