extension ElementLoss {
  public static var strata: [String] {
    ["unit", "pixel", "alike", "identical", "knee", "tiny", "large", "mixed"]
  }

  /// Items of a loss of the difference x − t, with a knee at |x − t| = `knee`.
  static func differences(
    _ stratum: String, knee: Double, using random: inout SplitMix
  ) -> Item {
    var t = random.uniform(-1, 1)
    var x = random.uniform(-1, 1)
    switch stratum {
    case "pixel":
      t = random.uniform(-640, 640)
      x = t + random.sign() * random.logarithmic(1e-2, 1e2)
    case "alike": x = t + random.sign() * random.logarithmic(1e-7, 1e-2)
    case "identical": x = t
    case "knee":
      t = random.uniform(-4, 4)
      x = t + random.sign() * knee * (1 + random.sign() * random.logarithmic(1e-7, 0.5))
      if random.chance(0.1) {
        t = 0
        x = random.sign() * knee
      }
    case "tiny":
      t = random.sign() * random.logarithmic(1e-12, 1e-6)
      x = random.sign() * random.logarithmic(1e-12, 1e-6)
    case "large":
      t = random.sign() * random.logarithmic(1, 1e6)
      x = random.sign() * random.logarithmic(1, 1e6)
    case "mixed":
      t = random.sign() * random.logarithmic(1e-3, 1e3)
      x = random.sign() * random.logarithmic(1e-3, 1e3)
    default: break
    }
    return Item([x], [t])
  }
}

// MARK: - Logits

extension ElementLoss {
  static var logitStrata: [String] {
    ["unit", "wide", "soft", "nearly hard", "saturated", "tiny", "zero", "at target"]
  }

  /// Items of a loss of a logit x and a probability t.
  static func logits(_ stratum: String, using random: inout SplitMix) -> Item {
    var x = random.uniform(-4, 4)
    var t = random.chance(0.5) ? 1.0 : 0
    switch stratum {
    case "wide": x = random.uniform(-110, 110)
    case "soft":
      x = random.uniform(-10, 10)
      t = random.uniform(0, 1)
    case "nearly hard":
      x = random.uniform(-40, 40)
      t = random.logarithmic(1e-12, 1e-1)
      if random.chance(0.5) { t = 1 - t }
    case "saturated":
      x = random.sign() * random.logarithmic(20, 1000)
      if random.chance(0.5) { t = random.uniform(0, 1) }
    case "tiny":
      x = random.sign() * random.logarithmic(1e-12, 1e-2)
      if random.chance(0.5) { t = random.uniform(0, 1) }
    case "zero":
      x = 0
      if random.chance(0.5) { t = random.uniform(0, 1) }
    case "at target":
      x = random.uniform(-8, 8)
      t = DoubleDouble.sigmoid(DoubleDouble(x)).hi
      if random.chance(0.5) { t *= 1 - random.logarithmic(1e-7, 1e-2) }
    default: break
    }
    return Item([x], [t])
  }

  static var probabilityStrata: [String] {
    ["unit", "soft", "near zero", "near one", "clip", "at target"]
  }

  /// Items of a loss of a probability p, clipped at `epsilon` if that is positive, and a probability
  /// t; p keeps off 0 and 1 by more than the reach of a difference stencil.
  static func probabilities(
    _ stratum: String, clip epsilon: Double, using random: inout SplitMix
  ) -> Item {
    var p = random.uniform(0.001, 0.999)
    var t = random.chance(0.5) ? 1.0 : 0
    switch stratum {
    case "soft": t = random.uniform(0, 1)
    case "near zero":
      p = random.logarithmic(4e-12, 1e-2)
      if random.chance(0.5) { t = random.uniform(0, 1) }
    case "near one":
      p = 1 - random.logarithmic(1e-7, 1e-2)
      if random.chance(0.5) { t = random.uniform(0, 1) }
    case "clip":
      let edge = epsilon > 0 ? epsilon : 1e-7
      p = edge * (1 + random.sign() * random.logarithmic(1e-6, 0.5))
      if random.chance(0.5) { p = 1 - p }
      if random.chance(0.5) { t = random.uniform(0, 1) }
    case "at target":
      t = random.uniform(0.001, 0.999)
      p = t * (1 - random.logarithmic(1e-7, 1e-2))
      if random.chance(0.2) { p = t }
    default: break
    }
    return Item([p], [t])
  }
}
