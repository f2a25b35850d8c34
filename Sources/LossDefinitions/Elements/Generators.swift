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
