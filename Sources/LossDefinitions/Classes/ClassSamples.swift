/// A loss that weighs its classes, with the settings that the judge tries.
public protocol ClassWeighted: ClassLoss {
  var labelSmoothing: Double { get set }
  /// One weight a class, none of them negative; nil is 1 for every class.
  var classWeights: [Double]? { get set }
}

extension ClassWeighted {
  public var requiredWidth: Int? { classWeights?.count }

  public static var configurations: [Configuration<Self>] {
    var weighted = Self()
    weighted.classWeights = [1, 0.25, 3, 0.7, 0]
    var smoothed = weighted
    smoothed.labelSmoothing = 0.1
    return gridConfigurations + [
      Configuration("class weights", weighted),
      Configuration("class weights, labelSmoothing = 0.1", smoothed),
    ]
  }

  public var roundedToFloat: Self {
    var rounded = self
    rounded.labelSmoothing = Double(Float(labelSmoothing))
    rounded.classWeights = classWeights?.map { Double(Float($0)) }
    return rounded
  }
}

extension ClassLoss {
  public static var strata: [String] {
    [
      "unit", "wide", "alike", "zero", "tie", "one", "two", "leading", "trailing", "saturated",
      "offset", "many",
    ]
  }

  /// A row of logits of a stratum, and the class that its target is about.
  static func logits(
    _ stratum: String, classes: Int?, using random: inout SplitMix
  ) -> (x: [Double], y: Int) {
    var count = classes ?? random.integer(3...12)
    if classes == nil {
      switch stratum {
      case "one": count = 1
      case "two": count = 2
      case "many": count = random.chance(0.01) ? 1000 : random.pick([80, 80, 91, 17, 33])
      default: break
      }
    }
    let y = random.integer(0...count - 1)
    var x = (0..<count).map { _ in random.uniform(-3, 3) }
    switch stratum {
    case "wide": x = x.map { 10 * $0 }
    case "alike": x = x.map { 1 + $0 * 1e-6 }
    case "zero": x = x.map { _ in 0 }
    case "tie":
      let level = random.uniform(-3, 3)
      for j in x.indices where random.chance(0.6) { x[j] = level }
    case "leading", "trailing", "many":
      let others = x.indices.filter { $0 != y }.map { x[$0] }
      let gap = random.chance(0.5) ? random.uniform(0, 100) : random.logarithmic(1e-6, 100)
      let leads = stratum == "leading" || stratum == "many" && random.chance(0.5)
      x[y] = leads ? (others.max() ?? 0) + gap : (others.min() ?? 0) - gap
    case "saturated":
      for j in x.indices where random.chance(0.6) {
        x[j] = random.sign() * random.pick([1000, 1000, 100, 90, 20])
      }
    case "offset":
      let offset = random.sign() * random.logarithmic(1e2, 1e6)
      x = x.map { $0 + offset }
    default: break
    }
    return (x, y)
  }

  /// Masses about class y: one-hot, nearly so, a distribution, with absent classes, of any sum, none.
  static func masses(_ count: Int, _ y: Int, using random: inout SplitMix) -> [Double] {
    var t = (0..<count).map { _ in random.uniform(0, 1) }
    let kind = random.integer(0...5)
    switch kind {
    case 0: t = t.indices.map { $0 == y ? 1 : 0 }
    case 1:
      let spread = random.logarithmic(1e-9, 0.1)
      t = t.indices.map { $0 == y ? 1 : spread * t[$0] }
    case 2: t = t.map { $0 < 0.7 ? 0 : $0 }
    case 3: t = t.map { 4 * $0 }
    case 4 where random.chance(0.1): return t.map { _ in 0 }
    default: break
    }
    let sum = t.reduce(0, +)
    return kind == 3 || kind == 0 || sum == 0 ? t : t.map { $0 / sum }
  }
}
