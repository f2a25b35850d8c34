extension YOLOv8 {
  public static var configurations: [Configuration<Self>] {
    var before = Self()
    before.smallTruths = .none
    var first = Self()
    first.smallTruths = .firstStride
    first.topk2 = 4
    var weighted = Self()
    weighted.classWeights = [0.5, 1, 2]
    weighted.validity = .presence
    var plain = Self()
    (plain.boxGain, plain.classGain, plain.distributionGain) = (1, 1, 1)
    plain.scalesWithBatch = false
    plain.topk = 3
    return [
      Configuration("default", Self()),
      Configuration("before 8.4.0", before),
      Configuration("8.4.0 to 8.4.80, topk2 = 4", first),
      Configuration("class weights, every row takes part", weighted),
      Configuration("no gains, topk = 3", plain),
    ]
  }

  public static var strata: [String] {
    [
      "plain", "one level", "crowded", "tiny", "border", "duplicate", "degenerate", "saturated",
      "few bins", "one bin", "empty",
    ]
  }

  /// Head maps of one to three images around random truths; every one has at least topk anchors.
  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<Truths> {
    let images = random.integer(1...3)
    let grid =
      stratum == "one level"
      ? AnchorGrid([(random.integer(4...6), random.integer(4...6))], strides: [8])
      : AnchorGrid([(4, 6), (2, 3)], strides: [8, 16])
    let classes = 3
    let bins = stratum == "one bin" ? 1 : stratum == "few bins" ? 4 : 16
    var rows: [Row] = []
    for image in 0..<images {
      let count =
        switch stratum {
        case "empty": 0
        case "crowded": random.integer(3...5)
        default: random.integer(0...3)
        }
      for _ in 0..<count {
        rows.append(row(stratum, image, classes, using: &random))
        if stratum == "duplicate" {
          rows.append(rows[rows.count - 1])
          if random.chance(0.5) { rows[rows.count - 1].label = random.integer(0...classes - 1) }
        }
      }
    }
    var scores = Tensor(zeros: [images, classes, grid.count])
    for i in scores.data.indices { scores.data[i] = random.uniform(-4, 4) }
    var boxes = Tensor(zeros: [images, 4 * bins, grid.count])
    for b in 0..<images {
      for a in 0..<grid.count {
        for side in 0..<4 {
          let center = random.uniform(0, Double(min(bins, 6)))
          for k in 0..<bins {
            let away = (Double(k) - center) * random.uniform(0.8, 1.2)
            boxes.data[boxes.index(b, side * bins + k, a)] =
              bins == 1 ? random.uniform(0.25, 3) : -0.5 * away * away + random.uniform(-1, 1)
          }
        }
      }
    }
    if stratum == "saturated" {
      for i in scores.data.indices where random.chance(0.3) { scores.data[i] = random.sign() * 30 }
      for i in boxes.data.indices where random.chance(0.1) { boxes.data[i] = random.sign() * 30 }
    }
    return Scene([boxes.roundedToFloat, scores.roundedToFloat], Truths(grid, rows))
  }

  private func row(
    _ stratum: String, _ image: Int, _ classes: Int, using random: inout SplitMix
  ) -> Row {
    func eighths(_ low: Int, _ high: Int) -> Double { Double(random.integer(low...high)) / 128 }
    var (width, height) = (random.uniform(0.2, 0.9), random.uniform(0.2, 0.9))
    var (x, y) = (random.uniform(0.2, 0.8), random.uniform(0.2, 0.8))
    switch stratum {
    case "tiny": (width, height) = (random.uniform(0.01, 0.2), random.uniform(0.01, 0.2))
    case "border": (x, y) = (random.uniform(-0.1, 1.1), random.uniform(-0.1, 1.1))
    case "degenerate":
      if random.chance(0.5) { width = 0 }
      if random.chance(0.5) { height = 0 }
    case "crowded":
      (x, y) = (random.uniform(0.4, 0.6), random.uniform(0.4, 0.6))
    default:
      if random.chance(0.5) {
        (x, y, width, height) = (
          eighths(32, 96), eighths(32, 96), eighths(24, 100), eighths(24, 100)
        )
      }
    }
    return Row(
      image: image, label: random.integer(0...classes - 1), x: x, y: y, width: width,
      height: height)
  }
}
