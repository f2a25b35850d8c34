import LossDefinitions

/// Makes the cases of a loss in a number format: each draw of a stratum by itself.
struct VectorGenerator: Sendable {
  let subject: Subject
  let seed: UInt64
  private let rounding: Rounding

  init(_ entry: any CatalogEntry, _ format: Format, seed: UInt64) {
    subject = .native(entry, format)
    self.seed = seed
    rounding = Rounding(format)
  }

  var format: Format { subject.format }
  var strata: [String] { VectorStrata.names(subject) }

  /// An item of a stratum; nil where the format cannot hold it.
  func item(_ stratum: String, _ draw: Int) -> Item? {
    let addition = VectorStrata.additions(subject).first { $0.name == stratum }
    let seed = seed &+ UInt64(draw) &* 0x9e37_79b9_7f4a_7c15
    let item = subject.items(addition?.source ?? stratum, 1, seed).first
    guard let addition else { return item }
    return item.map { addition.change($0, draw) }
      .map { $0.rounded(to: format, targetIsIndex: subject.targetIsIndex) }
  }

  /// The case of a draw; nil where there is no item.
  func vector(_ stratum: String, _ draw: Int) -> VectorCase? {
    item(stratum, draw).map { vector(stratum, draw, $0) }
  }

  func vector(_ stratum: String, _ draw: Int, _ item: Item) -> VectorCase {
    let bands = subject.bands(item, rounding)
    let isKink = bands.all.contains { $0?.isKink == true }
    var flags = [isKink ? "kink" : bands.isDecided ? "smooth" : "tie"]
    let isDegenerate = isDegenerate(item)
    if isDegenerate { flags.append("degenerate") }
    let addition = VectorStrata.additions(subject).first { $0.name == stratum }
    let hasGradient = addition?.hasGradient ?? true
    func shipped(_ band: ItemBands.Whole?) -> VectorBand? {
      // A box without area may be where the loss jumps: there it has no derivatives.
      guard let band, band.isSettled || !isDegenerate else { return nil }
      return VectorBand(truth: band.truth, tight: band.tight, accurate: band.accurate)
    }
    return VectorCase(
      id: id(stratum, item), revision: 1, stratum: stratum, draw: draw, flags: flags, item: item,
      value: shipped(bands.value),
      gradient: bands.gradient.map { hasGradient ? shipped($0) : nil })
  }

  private func isDegenerate(_ item: Item) -> Bool {
    let boxes = [item.prediction, item.target]
    return switch subject.family {
    case .boxes: boxes.contains { $0[0] == $0[2] || $0[1] == $0[3] }
    case .rotatedBoxes: boxes.contains { $0[2] == 0 || $0[3] == 0 }
    case .regions: item.target.allSatisfy { $0 == 0 }
    default: false
    }
  }

  /// The name that the input alone decides.
  private func id(_ stratum: String, _ item: Item) -> String {
    let target =
      subject.targetIsIndex
      ? "\(Int(item.target.first ?? 0))" : PackedNumbers.text(item.target, format)
    let loss = subject.selection.loss
    let input =
      "\(loss) \(format.rawValue) \(PackedNumbers.text(item.prediction, format)):\(target)"
    let word = stratum.split(separator: " ").joined(separator: "-")
    return "\(loss).\(word).\(SHA256.short(input))"
  }

  // MARK: Batches and reductions

  /// All cases of the commonest width that are wholly judged, an odd number of them; and short ones.
  func batches(_ cases: [VectorCase]) -> [[String]] {
    let ids = commonest(cases.filter { !$0.bands.contains(nil) }).map(\.id)
    let whole = ids.count % 2 == 1 ? ids : ids.dropLast()
    return whole.isEmpty
      ? []
      : [Array(whole)]
        + [7, 3, 1].filter { $0 < whole.count }.map { Array(ids.reversed().prefix($0)) }
  }

  /// Those of the commonest width.
  private func commonest(_ cases: [VectorCase]) -> [VectorCase] {
    let byWidth = Dictionary(grouping: cases) { $0.item.prediction.count }
    let width = byWidth.keys.max {
      (byWidth[$0]?.count ?? 0, $1) < (byWidth[$1]?.count ?? 0, $0)
    }
    return width.flatMap { byWidth[$0] } ?? []
  }

  /// Five smooth cases, or three, of one width under sum and mean, whose values are of like sizes: such that
  /// most of the mutants of reductions are rejected.
  func reductions(_ cases: [VectorCase]) -> [VectorReduction] {
    let smooth = cases.filter { vector in
      vector.flags == ["smooth"] && !vector.bands.contains(nil)
        && vector.value?.accurate.contains(0) == false
    }
    func size(_ vector: VectorCase) -> Double { vector.value?.truth.magnitude ?? 0 }
    let sorted = commonest(smooth).sorted { size($0) < size($1) }
    var best: (count: Int, reduction: VectorReduction)?
    let count = sorted.count < 5 ? 3 : 5
    for step in 1...4 {
      for first in sorted.indices where first + (count - 1) * step < sorted.count {
        let chosen = (0..<count).map { sorted[first + $0 * step] }
        let reduction = reduction(chosen)
        let count = Mutant.reductions.count { mutant in
          reduction.rejects(mutant, chosen, format, subject.family, subject.targetIsIndex)
        }
        if count > best?.count ?? 0 { best = (count, reduction) }
      }
    }
    return best.map { [$0.reduction] } ?? []
  }

  /// Bands that hold for every order of summation, and for a factor 1/N that enters early or late.
  func reduction(_ cases: [VectorCase]) -> VectorReduction {
    let n = Double(cases.count)
    let unit = format.unit
    let values = cases.compactMap(\.value)
    func widest(_ band: VectorBand) -> Double {
      Swift.max(band.accurate.lowerBound.magnitude, band.accurate.upperBound.magnitude)
    }
    let room = (n + 1) * unit * values.reduce(0) { $0 + widest($1) }
    func total(_ end: KeyPath<VectorBand, Double>) -> Double {
      values.reduce(DoubleDouble(0)) { $0 + DoubleDouble($1[keyPath: end]) }.hi
    }
    let sum = VectorBand(
      truth: total(\.truth), tight: total(\.tight.lowerBound)...total(\.tight.upperBound),
      accurate: total(\.accurate.lowerBound)...total(\.accurate.upperBound)
    ).widened(by: room)
    let gradient = cases.map { vector in
      let bands = vector.gradient.compactMap { $0 }
      let largest = bands.map(widest).max() ?? 0
      return bands.map { $0.divided(by: n).widened(by: 4 * unit * largest / n) }
    }
    return VectorReduction(
      cases: cases.map(\.id), sum: sum,
      mean: sum.divided(by: n).widened(by: 2 * unit * widest(sum) / n), gradient: gradient)
  }
}

extension VectorBand {
  func divided(by n: Double) -> VectorBand {
    VectorBand(
      truth: truth / n, tight: tight.lowerBound / n...tight.upperBound / n,
      accurate: accurate.lowerBound / n...accurate.upperBound / n)
  }

  func widened(by room: Double) -> VectorBand {
    VectorBand(
      truth: truth, tight: tight.lowerBound - room...tight.upperBound + room,
      accurate: accurate.lowerBound - room...accurate.upperBound + room)
  }
}
