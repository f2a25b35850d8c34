extension RegionLoss {
  public static var strata: [String] { regionStrata }

  static var regionStrata: [String] {
    [
      "soft", "binary", "masks", "empty", "full", "zero", "identical", "exact", "opposite", "near",
      "one pixel off", "saturated", "faint", "pixel", "large",
    ]
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    let count: Int
    switch stratum {
    case "pixel": count = 1
    case "large": count = Int(random.logarithmic(101, 2000))
    default: count = random.integer(2...100)
    }
    let share = random.uniform(0.05, 0.95)
    let mask = (0..<count).map { _ in random.chance(share) ? 1.0 : 0.0 }
    let soft = (0..<count).map { _ in random.uniform(0, 1) }
    let other = (0..<count).map { _ in random.uniform(0, 1) }
    /// The mask moved inwards by these.
    func inside(_ offsets: [Double]) -> [Double] { zip(mask, offsets).map { ($0 - $1).magnitude } }
    switch stratum {
    case "binary": return Item(soft, mask)
    case "masks": return Item(other.map { $0 < share ? 1 : 0 }, mask)
    case "empty": return Item(soft, mask.map { _ in 0 })
    case "full": return Item(soft, mask.map { _ in 1 })
    case "zero": return Item(mask.map { _ in 0 }, mask.map { _ in 0 })
    case "identical": return Item(soft, soft)
    case "exact": return Item(mask, mask)
    case "opposite": return Item(mask.map { 1 - $0 }, mask)
    case "near":
      let size = random.logarithmic(1e-6, 1e-2)
      return Item(inside(soft.map { $0 * size }), mask)
    case "one pixel off":
      var prediction = mask
      let k = random.integer(0...count - 1)
      prediction[k] = (mask[k] - random.logarithmic(1e-6, 1)).magnitude
      return Item(prediction, mask)
    case "saturated":
      // One of them not so tiny that the loss vanishes against the rounding of its own sums.
      let tiny = mask.indices.map { random.logarithmic($0 == 0 ? 1e-7 : 1e-30, 1e-6) }
      return Item(zip(inside(tiny), other).map { $1 < 0.9 ? $0 : 1 - $0 }, mask)
    case "faint":
      return Item(
        mask.map { _ in random.logarithmic(1e-12, 1e-4) },
        mask.map { _ in random.logarithmic(1e-12, 1e-4) })
    case "outside":
      return Item(soft.map { $0 < 0.1 ? 0 : $0 > 0.9 ? 1 : 2 * $0 - 0.5 }, mask)
    case "pixel", "large": return Item(soft, random.chance(0.5) ? mask : other)
    default: return Item(soft, other)
    }
  }
}
