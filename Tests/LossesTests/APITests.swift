import LossDefinitions
import Losses
import Testing

@Suite struct APITests {
  @Test(arguments: Listed.all)
  func itemsKeepTheirBitsInAnyBatch(_ listed: Listed) throws {
    try check(listed.entry, Itemwise())
  }

  @Test(arguments: Listed.all)
  func weightsAndNormalizerScale(_ listed: Listed) throws {
    try check(listed.entry, Scaled())
  }

  @Test(arguments: Listed.all)
  func strangeNumbersStayWithTheirItem(_ listed: Listed) throws {
    try check(listed.entry, Isolated())
  }

  @Test(arguments: Listed.all)
  func emptyBatchesHaveASumAndNoMean(_ listed: Listed) throws {
    try check(listed.entry, Empty())
  }

  @Test(arguments: Listed.all)
  func sizesThatDoNotFitAreNamed(_ listed: Listed) throws {
    try check(listed.entry, Misshapen())
  }

  private func check(_ entry: any CatalogEntry, _ claim: some Claim) throws {
    func open<E: CatalogEntry>(_ entry: E) throws {
      for configuration in E.L.configurations {
        try claim.check(Sample<E.L, Float>(configuration.loss))
        try claim.check(Sample<E.L, Double>(configuration.loss))
      }
    }
    try open(entry)
  }
}

/// A statement about every loss in either precision.
private protocol Claim {
  func check<L: Loss, Element>(_ sample: Sample<L, Element>) throws
}

/// An item has the same bits in a batch of any size, wherever it is in it and in memory, as alone.
private struct Itemwise: Claim {
  func check<L: Loss, Element>(_ sample: Sample<L, Element>) throws {
    let all = sample.columns
    let single = try (0..<all.count).map { try sample.run(all[[$0]]) }
    for count in 0...(3 * Element.Vector.count + 1) {
      let order = (0..<count).map { all.count - 1 - $0 }
      for shift in [0, 1] {
        let run = try sample.run(all[order], shift: shift)
        for (place, i) in order.enumerated() {
          #expect(same([run.values[place]], single[i].values), "\(L.name), \(place) of \(count)")
          #expect(
            same(run.gradient[place * all.width..<(place + 1) * all.width], single[i].gradient),
            "\(L.name), \(place) of \(count)")
        }
        let sum = order.reduce(0.0) { $0 + Double(single[$1].values[0]) }
        let size = order.reduce(0.0) { $0 + Double(single[$1].values[0]).magnitude }
        #expect((run.value - sum).magnitude <= 0x1p-46 * size, "\(L.name), \(count) items")
        #expect(same([run.value], [try sample.value(all[order])]), "\(L.name), value alone")
      }
    }
  }
}

/// L = Σ wᵢ Lᵢ / N, and its gradient is wᵢ/N times the item's.
private struct Scaled: Claim {
  func check<L: Loss, Element>(_ sample: Sample<L, Element>) throws {
    let all = sample.columns
    let n = all.count
    var random = SplitMix(seed: 1, L.name)
    let weights = (0..<n).map { _ in Element(random.integer(0...12)) / 4 }
    let plain = try sample.run(all)
    let weighted = try sample.run(all, weights: weights)
    let size = zip(plain.values, weights).reduce(0.0) { $0 + Double($1.0).magnitude * Double($1.1) }
    let sum = zip(plain.values, weights).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    #expect((weighted.value - sum).magnitude <= 0x1p-46 * size, "\(L.name)")
    let total = weights.reduce(0) { $0 + Double($1) }
    for (normalizer, divisor) in [
      (Normalizer.sum, 1), (.mean, Double(n)), (.weightSum, total), (.value(7.25), 7.25),
    ] {
      let run = try sample.run(all, weights: weights, normalizer: normalizer)
      #expect(same([run.value], [weighted.value / divisor]), "\(L.name), \(normalizer)")
      #expect(same(run.values, plain.values), "\(L.name), \(normalizer)")
      let scale = Element(1 / divisor)
      let expected = plain.gradient.indices.map {
        plain.gradient[$0] * (weights[$0 / all.width] * scale)
      }
      #expect(same(run.gradient, expected), "\(L.name), \(normalizer)")
    }
    let unweighted = try sample.run(all, normalizer: .weightSum)
    #expect(same([unweighted.value], [plain.value / Double(n)]), "\(L.name)")
  }
}

/// Whatever one item holds, nothing traps, the others keep their bits, and a NaN is answered by NaN.
private struct Isolated: Claim {
  func check<L: Loss, Element>(_ sample: Sample<L, Element>) throws {
    let all = sample.columns
    let plain = try sample.run(all, validation: .trusted)
    let numbers: [Element] = [
      .nan, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
      .leastNonzeroMagnitude, -0.0,
    ]
    for (k, number) in numbers.enumerated() {
      let item = (5 * k + 3) % all.count
      var changed = all
      // From the last on: a loss may be blind to a place.
      changed.prediction[(item + 1) * all.width - 1 - k % all.width] = number
      let run = try sample.run(changed, validation: .trusted)
      for i in 0..<all.count where i != item {
        let row = i * all.width..<(i + 1) * all.width
        #expect(same([run.values[i]], [plain.values[i]]), "\(L.name), \(number)")
        #expect(same(run.gradient[row], plain.gradient[row]), "\(L.name), \(number)")
      }
      if number.isNaN { #expect(run.values[item].isNaN, "\(L.name)") }
    }
  }
}

private struct Empty: Claim {
  func check<L: Loss, Element>(_ sample: Sample<L, Element>) throws {
    let none = sample.columns[[]]
    for normalizer in [Normalizer.sum, .value(3)] {
      let run = try sample.run(none, normalizer: normalizer)
      #expect(run.value == 0)
      #expect(run.gradient.isEmpty && run.values.isEmpty)
    }
    for normalizer in [Normalizer.mean, .weightSum] {
      let error = #expect(throws: LossError.self) {
        try sample.run(none, normalizer: normalizer)
      }
      #expect(error?.kind == .normalizer)
    }
  }
}

private struct Misshapen: Claim {
  func check<L: Loss, Element>(_ sample: Sample<L, Element>) throws {
    let all = sample.columns
    func error(_ body: () throws -> Void) -> LossError? {
      #expect(throws: LossError.self, performing: body)
    }
    var short = all
    short.labels = short.labels?.dropLast()
    short.target = short.target.dropLast()
    let targets = error { _ = try sample.run(short) }
    #expect(targets?.kind == .shape && targets?.argument == "targets")

    if all.width > 1 {
      var odd = all
      odd.prediction.removeLast()
      let predictions = error { _ = try sample.run(odd) }
      #expect(predictions?.kind == .shape && predictions?.argument == "predictions")
      #expect(
        predictions?.description
          == "predictions: \(odd.prediction.count) numbers, expected a multiple of \(all.width)")
    }

    let weights = error { _ = try sample.run(all, weights: [1]) }
    #expect(weights?.description == "weights: 1 numbers, expected \(all.count)")

    let gradient = error { _ = try sample.run(all, room: 1) }
    #expect(gradient?.argument == "gradient")
    #expect(gradient?.given == "\(all.prediction.count + 1) numbers")
    #expect(gradient?.expected == "\(all.prediction.count)")

    for bad in [Element.nan, .infinity, -1] {
      var list = [Element](repeating: 1, count: all.count)
      list[2] = bad
      let found = error { _ = try sample.run(all, weights: list) }
      #expect(found?.kind == .weight && found?.index == 2)
      #expect(found?.expected == "a finite number of at least 0")
    }
    for bad in [Double.nan, .infinity, 0, -1, .leastNonzeroMagnitude] {
      let found = error { _ = try sample.run(all, normalizer: .value(bad)) }
      #expect(found?.kind == .normalizer && found?.given == "\(bad)")
    }
    let zero = [Element](repeating: 0, count: all.count)
    let found = error { _ = try sample.run(all, weights: zero, normalizer: .weightSum) }
    #expect(found?.given == "weights that sum to 0.0")
  }
}

// MARK: - Items and calls

/// A batch's numbers in columns.
private struct Columns<Element: LaneElement> {
  var width: Int
  var targetWidth: Int
  var prediction: [Element]
  var target: [Element]
  var labels: [Int]?

  var count: Int { prediction.count / width }

  /// The items at these places, in this order.
  subscript(order: [Int]) -> Self {
    var part = self
    part.prediction = order.flatMap { prediction[$0 * width..<($0 + 1) * width] }
    if let labels {
      part.labels = order.map { labels[$0] }
    } else {
      part.target = order.flatMap { target[$0 * targetWidth..<($0 + 1) * targetWidth] }
    }
    return part
  }
}

/// A family without batch calls.
private struct NoCalls: Error {}

private struct Run<Element: LaneElement> {
  var value: Double
  var gradient: [Element]
  var values: [Element]
}

/// A loss with items of its strata that have one shape, and the calls of its family.
private struct Sample<L: Loss, Element: LaneElement> {
  let loss: L
  let columns: Columns<Element>

  init(_ loss: L) {
    self.loss = loss
    var random = SplitMix(seed: 0, L.name)
    let needed = 3 * Element.Vector.count + 1
    var shapes: [[Int]: [Item]] = [:]
    var items: [Item] = []
    while items.count < needed {
      for stratum in L.strata {
        let item = loss.sample(stratum, using: &random)
        let shape = [item.prediction.count, item.target.count]
        shapes[shape, default: []].append(item)
        if shapes[shape]!.count >= needed, items.isEmpty { items = shapes[shape]! }
      }
    }
    columns = Columns(
      width: items[0].prediction.count, targetWidth: items[0].target.count,
      prediction: items.flatMap { $0.prediction.map { Element($0) } },
      target: L.targetIsIndex ? [] : items.flatMap { $0.target.map { Element($0) } },
      labels: L.targetIsIndex ? items.map { Int($0.target[0]) } : nil)
  }

  /// Value, gradient and values through buffers that start `shift` elements into their memory, with
  /// `room` elements too many for the gradient.
  func run(
    _ c: Columns<Element>, weights: [Element]? = nil, normalizer: Normalizer = .sum,
    validation: Validation = .checked, shift: Int = 0, room: Int = 0
  ) throws -> Run<Element> {
    let pad = [Element](repeating: 0, count: shift)
    let prediction = (pad + c.prediction)[shift...]
    let target = (pad + c.target)[shift...]
    let weights = weights.map { (pad + $0)[shift...] }
    var gradient = (pad + [Element](repeating: 7, count: c.prediction.count + room))[shift...]
    var values = (pad + [Element](repeating: 7, count: c.prediction.count / c.width))[shift...]

    func fixed<F: FixedWidthLoss>(_ loss: F) throws -> Double {
      try loss.values(prediction, target, validation: .trusted, into: &values)
      return try loss.value(
        prediction, target, weights: weights, normalizer: normalizer, validation: validation,
        gradient: &gradient)
    }
    func rows<R: RowLoss>(_ loss: R) throws -> Double {
      try loss.values(prediction, target, width: c.width, into: &values)
      return try loss.value(
        prediction, target, width: c.width, weights: weights, normalizer: normalizer,
        validation: validation, gradient: &gradient)
    }
    func labelled<C: ClassLoss>(_ loss: C, _ labels: [Int]) throws -> Double {
      try loss.values(prediction, labels, classes: c.width, into: &values)
      return try loss.value(
        prediction, labels, classes: c.width, weights: weights, normalizer: normalizer,
        validation: validation, gradient: &gradient)
    }
    let value =
      switch (loss, c.labels) {
      case (let loss as any FixedWidthLoss, _): try fixed(loss)
      case (let loss as any ClassLoss, let labels?): try labelled(loss, labels)
      case (let loss as any RowLoss, _): try rows(loss)
      default: throw NoCalls()
      }
    return Run(value: value, gradient: Array(gradient), values: Array(values))
  }

  /// The value without a gradient.
  func value(_ c: Columns<Element>) throws -> Double {
    func fixed<F: FixedWidthLoss>(_ loss: F) throws -> Double { try loss(c.prediction, c.target) }
    func rows<R: RowLoss>(_ loss: R) throws -> Double {
      try loss(c.prediction, c.target, width: c.width)
    }
    func labelled<C: ClassLoss>(_ loss: C, _ labels: [Int]) throws -> Double {
      try loss(c.prediction, labels, classes: c.width)
    }
    return switch (loss, c.labels) {
    case (let loss as any FixedWidthLoss, _): try fixed(loss)
    case (let loss as any ClassLoss, let labels?): try labelled(loss, labels)
    case (let loss as any RowLoss, _): try rows(loss)
    default: throw NoCalls()
    }
  }
}

/// The same numbers, zeros with their signs, and NaN where NaN is.
private func same<Number: BinaryFloatingPoint>(
  _ a: some Collection<Number>, _ b: some Collection<Number>
) -> Bool {
  a.count == b.count
    && zip(a, b).allSatisfy { x, y in
      x == y && x.sign == y.sign || x.isNaN && y.isNaN
    }
}
