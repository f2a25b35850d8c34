/// A loss of one region: all pixels and channels of a prediction against a target of the same shape.
///
/// An item is a region, flat; which axes form one (an image, a class of an image, a whole batch) is
/// the caller's choice of items. The loss is a function of a few sums over the entries, so a kernel
/// passes over a region twice: for the sums, and for the gradient.
public protocol RegionLoss: RowLoss {
  /// How many of the three sums the loss has a use for.
  static var sumCount: Int { get }
  /// What entries add to the sums.
  func terms<V: Lanes>(_ p: V, _ t: V) -> (V, V, V)
  /// The loss of the sums, and the numbers that every entry's slope is made of.
  func combine<V: Lanes>(_ sums: (V, V, V)) -> (loss: V, slopes: (V, V))
  /// The derivative in the prediction's entries.
  func slope<V: Lanes>(_ p: V, _ t: V, _ slopes: (V, V)) -> V
}

extension RegionLoss {
  public static var family: Family { .regions }
  @inline(always) public static var sumCount: Int { 2 }

  @inlinable @inline(never)
  public func sweep<I: InstructionSet, Element: LaneElement>(
    _: I.Type, _ batch: Batch<Element>
  ) -> Double {
    batch.sum { first, n, values in
      for k in 0..<n {
        let offset = (first + k) * batch.width
        values[k] = evaluate(
          batch.prediction + offset, batch.target! + offset, count: batch.width,
          factor: batch.factor(first + k), gradient: batch.gradient.map { $0 + offset })
      }
    }
  }

  /// One region's loss; its gradient times `factor` goes to `gradient`.
  @inline(always)
  public func evaluate<Element: LaneElement>(
    _ prediction: UnsafePointer<Element>, _ target: UnsafePointer<Element>, count: Int,
    factor: Element, gradient: UnsafeMutablePointer<Element>?
  ) -> Element {
    typealias V = Element.Vector
    let whole = count - count % V.count
    let rest = count - whole
    var sums = (CompensatedSum<V>(), CompensatedSum<V>(), CompensatedSum<V>())
    var i = 0
    while i < whole {
      let end = Swift.min(whole, i + CompensatedSum<V>.blockCount * V.count)
      while i < end {
        let terms = terms(V(prediction + i), V(target + i))
        sums.0.add(terms.0)
        sums.1.add(terms.1)
        if Self.sumCount > 2 { sums.2.add(terms.2) }
        i += V.count
      }
      sums.0.endBlock()
      sums.1.endBlock()
      if Self.sumCount > 2 { sums.2.endBlock() }
    }
    if rest > 0 {
      let live = V.first(rest)
      let terms = terms(V(prediction + i, count: rest), V(target + i, count: rest))
      sums.0.add(.select(live, terms.0, .zero))
      sums.1.add(.select(live, terms.1, .zero))
      if Self.sumCount > 2 { sums.2.add(.select(live, terms.2, .zero)) }
      sums.0.endBlock()
      sums.1.endBlock()
      if Self.sumCount > 2 { sums.2.endBlock() }
    }
    let (loss, slopes) = combine(
      (
        V(repeating: sums.0.total), V(repeating: sums.1.total),
        Self.sumCount > 2 ? V(repeating: sums.2.total) : .zero
      ))
    guard let gradient else { return loss[0] }
    let scale = V(repeating: factor)
    i = 0
    while i < whole {
      let slope = slope(V(prediction + i), V(target + i), slopes)
      (slope * scale).store(gradient + i)
      i += V.count
    }
    if rest > 0 {
      let slope = slope(V(prediction + i, count: rest), V(target + i, count: rest), slopes) * scale
      for k in 0..<rest { gradient[i + k] = slope[k] }
    }
    return loss[0]
  }
}

/// Sums in lanes: blocks with their rounding errors beside them (Ogita, Rump and Oishi 2005), added up
/// in two words.
///
/// The total of n entries of one sign is off by half an ulp and (2¹⁷ + n / 2⁷) 2^(−2p) of itself, with
/// p the bits of an element. One plain sum of the errors would put n² in the place of that.
public struct CompensatedSum<V: Lanes> {
  public var high = V.zero
  public var low = V.zero
  public var block = V.zero
  public var blockError = V.zero

  @inline(always) public init() {}

  /// How many vectors a block may have.
  @inline(always) public static var blockCount: Int { 256 }

  @inline(always) public mutating func add(_ term: V) {
    let (sum, error) = V.twoSum(block, term)
    block = sum
    blockError = blockError + error
  }

  /// Adds the block to the sum and starts another.
  @inline(always) public mutating func endBlock() {
    let (sum, error) = V.twoSum(high, block)
    (high, low) = V.quickTwoSum(sum, error + (low + blockError))
    (block, blockError) = (.zero, .zero)
  }

  /// The lanes' sum, first to last.
  @inline(always) public var total: V.Element {
    var sum = high[0]
    var error = low[0]
    for k in 1..<V.count {
      let next = sum + high[k]
      let second = next - sum
      error += ((sum - (next - second)) + (high[k] - second)) + low[k]
      sum = next
    }
    return sum + error
  }
}

extension Lanes {
  /// The first `count` lanes.
  @inline(always) public static func first(_ count: Int) -> Mask {
    var lanes = zero
    for k in 0..<count { lanes[k] = 1 }
    return zero .< lanes
  }
}

extension RegionLoss {
  /// The items of two tensors of one shape.
  ///
  /// - Parameter axes: the axes that are summed over: all but the first, or nil for all.
  static func items(_ prediction: Tensor, _ target: Tensor, over axes: [Int]?) throws -> [Item] {
    guard let axes else { return [Item(prediction.data, target.data)] }
    let rank = prediction.shape.count
    guard rank > 0, axes == Array(1..<Swift.max(1, rank)) else {
      throw Refusal.unsupported(
        "sums over axes \(axes) of shape \(prediction.shape); known: all but the first, or all")
    }
    let count = prediction.shape[0]
    let width = count == 0 ? 0 : prediction.data.count / count
    return (0..<count).map { i in
      let range = i * width..<(i + 1) * width
      return Item(Array(prediction.data[range]), Array(target.data[range]))
    }
  }
}

extension Call {
  /// The axes of a list, or nil for null.
  func axes(_ name: String, default standard: [Int]?) throws -> [Int]? {
    switch parameters[name] {
    case nil: return standard
    case .null: return nil
    case .list(let axes):
      return try axes.map { axis in
        guard case .number(let value) = axis, let index = Int(exactly: value) else {
          throw Refusal.rejected("parameter \"\(name)\" must be a list of integers")
        }
        return index
      }
    default: throw Refusal.rejected("parameter \"\(name)\" must be a list of axes")
    }
  }
}

extension Dialect {
  /// A function of two tensors of one shape with a value for every region.
  ///
  /// - Parameter axis: the parameter that names the axes summed over, and its default.
  static func regions<L: RegionLoss>(
    _ peer: String, _ function: String, _ prediction: String, _ target: String,
    axis: (name: String, standard: [Int]?), parameters: [String], note: String,
    _ make: @escaping @Sendable (Call) throws -> L
  ) -> Dialect {
    Dialect(
      peer, function, note, inputs: [prediction, target], parameters: [axis.name] + parameters
    ) { call, evaluator in
      let loss = try make(call)
      let p = try call.tensor(prediction)
      let t = try call.tensor(target, like: p.shape)
      let axes = try call.axes(axis.name, default: axis.standard)
      let items = try L.items(p, t, over: axes)
      let results = try evaluator.evaluate(loss, items)
      let shape = axes == nil ? [] : [items.count]
      let (value, slopes) = try call.reduce(Tensor(shape, results.map(\.value)))
      let gradient = zip(results, slopes).flatMap { result, slope in
        result.prediction.map { $0 * slope }
      }
      return Answer(value, gradients: [prediction: Tensor(p.shape, gradient)])
    }
  }
}

extension Law where L: RegionLoss {
  static var zeroAtMask: Self {
    Law("L(m, m) = 0 for a mask m of zeros and ones") { loss, item, values in
      let mask = item.target.map { $0 < 0.5 ? 0.0 : 1 }
      return .equal(values.value(loss, Item(mask, mask)), 0)
    }
  }

  static var unorderedPixels: Self {
    .invariant(under: "the order of the pixels") {
      Item($0.prediction.reversed(), $0.target.reversed())
    }
  }
}
