extension GridObjective {
  public static var strata: [String] {
    ["plain", "crowded", "tiny", "border", "duplicate", "saturated", "empty"]
  }

  /// One to three images of one or two of the coarsest cells; some predictions lie near a truth.
  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<Truths> {
    let coarsest = levels.map(\.stride).max() ?? 1
    let (across, down) = random.pick([(1, 1), (1, 1), (2, 1), (1, 2)])
    let size = PriorSize(Double(across) * coarsest, Double(down) * coarsest)
    let images = stratum == "empty" ? 3 : random.integer(1...2)
    let classes = 3
    var truths: Truths = []
    for image in 0..<images {
      var count = random.integer(stratum == "crowded" ? 3...5 : 1...3)
      if stratum == "empty" { count = image == 1 ? random.integer(0...1) : 0 }
      var one = ImageTruths()
      for _ in 0..<count {
        one.boxes.append(truth(stratum, in: size, using: &random))
        one.labels.append(random.integer(0...classes - 1))
      }
      if stratum == "duplicate" {
        one.boxes.append(one.boxes[0])
        one.labels.append(random.integer(0...classes - 1))
      }
      truths.append(one)
    }
    var heads: [Tensor] = []
    for (l, level) in levels.enumerated() {
      let rows = Int(size.height / level.stride)
      let columns = Int(size.width / level.stride)
      let channels = level.priors.count * (5 + classes)
      let shape =
        Self.isChannelsFirst
        ? [images, channels, rows, columns] : [images, rows, columns, channels]
      var head = Tensor(zeros: shape)
      let grid = grid(l, shape)
      let reach = stratum == "saturated" ? 30.0 : 4
      for slot in 0..<grid.count {
        for entry in 0..<grid.entries {
          let limit = entry == 2 || entry == 3 ? Swift.min(reach, 2) : reach
          head.data[grid.offset(slot, entry)] = random.uniform(-limit, limit)
        }
        let boxes = truths[grid.place(slot).image].boxes
        if !boxes.isEmpty, random.chance(0.3) {
          aim(slot, of: grid, level, at: random.pick(boxes), in: &head, using: &random)
        }
      }
      heads.append(head)
    }
    return Scene(heads, truths)
  }

  /// A truth with corners on eighths of a pixel and its centre inside the image.
  private func truth(
    _ stratum: String, in size: PriorSize, using random: inout SplitMix
  ) -> Box<Double> {
    func span(_ extent: Double) -> (Double, Double) {
      let most = Int(8 * extent)
      let length =
        stratum == "tiny" ? random.integer(1...16) : random.integer(most / 8...most * 7 / 8)
      var first = random.integer(0...most - length)
      if stratum == "border" { first = random.pick([0, most - length]) }
      return (Double(first) / 8, Double(first + length) / 8)
    }
    let (x1, x2) = span(size.width)
    let (y1, y2) = span(size.height)
    return Box(x1: x1, y1: y1, x2: x2, y2: y2)
  }

  /// Moves a slot's prediction towards a truth, as near as its cell allows.
  private func aim(
    _ slot: Int, of grid: Grid, _ level: GridLevel, at truth: Box<Double>, in head: inout Tensor,
    using random: inout SplitMix
  ) {
    let target = GridTarget(centered(truth), in: slot, of: grid, level)
    for (entry, place) in [target.x, target.y].enumerated() {
      let p = Swift.min(0.97, Swift.max(0.03, place))
      head.data[grid.offset(slot, entry)] = .log(p / (1 - p)) + random.uniform(-0.25, 0.25)
    }
    let ratios = [target.box.w / target.prior.width, target.box.h / target.prior.height]
    for (k, ratio) in ratios.enumerated() {
      head.data[grid.offset(slot, 2 + k)] = .log(ratio) + random.uniform(-0.25, 0.25)
    }
  }
}
