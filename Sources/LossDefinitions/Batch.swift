/// What a kernel is handed: a batch's numbers, and where to put the results.
///
/// All pointers are to `count` items in row-major order and stay the caller's. A kernel reads each
/// input and writes each output once, allocates nothing, and gives every item the same bits in any
/// batch, at any place in it.
public struct Batch<Element: LaneElement> {
  public let count: Int
  /// Entries of a prediction, and of a target, in one item.
  public let width: Int
  public let targetWidth: Int
  public let prediction: UnsafePointer<Element>
  /// The targets' numbers; for a loss whose target is a class index, nil.
  public let target: UnsafePointer<Element>?
  /// The targets' class indices; otherwise nil.
  public let indices: UnsafePointer<Int>?
  /// The class index that marks an item as no item: its value and its gradient are 0.
  public let ignoredIndex: Int?
  /// One weight an item; nil means 1.
  public let weights: UnsafePointer<Element>?
  /// N: the total is divided by it, the per-item values are not.
  public let normalizer: Double
  /// 1 / N: the gradient is multiplied by it.
  public let scale: Element
  /// Where each item's own value goes, unweighted.
  public let values: UnsafeMutablePointer<Element>?
  /// Where the gradient of the total goes.
  public let gradient: UnsafeMutablePointer<Element>?

  public init(
    count: Int, width: Int, targetWidth: Int, prediction: UnsafePointer<Element>,
    target: UnsafePointer<Element>?, indices: UnsafePointer<Int>? = nil,
    ignoredIndex: Int? = nil, weights: UnsafePointer<Element>? = nil, normalizer: Double = 1,
    values: UnsafeMutablePointer<Element>? = nil, gradient: UnsafeMutablePointer<Element>? = nil
  ) {
    self.count = count
    self.width = width
    self.targetWidth = targetWidth
    self.prediction = prediction
    self.target = target
    self.indices = indices
    self.ignoredIndex = ignoredIndex
    self.weights = weights
    self.normalizer = normalizer
    scale = Element(1 / normalizer)
    self.values = values
    self.gradient = gradient
  }

  /// The factor of item `i` in the gradient: its weight over the normalizer.
  @inline(always) public func factor(_ i: Int) -> Element {
    if let weights { weights[i] * scale } else { scale }
  }

  /// Whether item `i` is marked as none by its class index.
  @inline(always) public func isIgnored(_ i: Int) -> Bool {
    guard let ignoredIndex, let indices else { return false }
    return indices[i] == ignoredIndex
  }

  /// Runs `block` over runs of at most `blockCount` items and sums their values, weighted, in Double
  /// over a fixed tree: the same bits however the work inside a block is laid out.
  ///
  /// `block` is handed the first item, the number of items, and where to put their values.
  @inline(always)
  public func sum(_ block: (Int, Int, UnsafeMutablePointer<Element>) -> Void) -> Double {
    var tree = PairwiseSum()
    // Not stack-protected: a protected function does not inline the lanes' operations.
    _withUnprotectedUnsafeTemporaryAllocation(
      of: Element.self, capacity: Self.blockCount
    ) { scratch in
      var first = 0
      while first < count {
        let n = Swift.min(Self.blockCount, count - first)
        let destination = values.map { $0 + first } ?? scratch.baseAddress!
        block(first, n, destination)
        tree.add(total(destination, weights.map { $0 + first }, n))
        first += n
      }
    }
    return tree.total / normalizer
  }

  @inline(always) public static var blockCount: Int { 128 }

  /// A block's sum in eight strands, item i in strand i mod 8, then their tree.
  @inline(always)
  public func total(
    _ values: UnsafeMutablePointer<Element>, _ weights: UnsafePointer<Element>?, _ n: Int
  ) -> Double {
    var strands = SIMD8<Double>()
    let whole = n & ~7
    var i = 0
    while i < whole {
      var eight = Self.widened(UnsafePointer(values) + i)
      if let weights { eight *= Self.widened(weights + i) }
      strands += eight
      i += 8
    }
    for k in 0..<(n - whole) {
      let weight = weights.map { Double($0[whole + k]) } ?? 1
      strands[k] += Double(values[whole + k]) * weight
    }
    let half = strands.lowHalf + strands.highHalf
    let quarter = half.lowHalf + half.highHalf
    return quarter.x + quarter.y
  }

  /// Eight elements in Double, written out so that the compiler converts them as vectors.
  @inline(always)
  public static func widened(_ p: UnsafePointer<Element>) -> SIMD8<Double> {
    SIMD8(
      Double(p[0]), Double(p[1]), Double(p[2]), Double(p[3]), Double(p[4]), Double(p[5]),
      Double(p[6]), Double(p[7]))
  }
}

/// Sums blocks by a binary counter: the tree depends on the number of blocks alone.
public struct PairwiseSum {
  public var levels = SIMD32<Double>()
  public var count = 0

  @inline(always) public init() {}

  @inline(always) public mutating func add(_ value: Double) {
    var carried = value
    var level = 0
    while count & (1 << level) != 0 {
      carried = levels[level] + carried
      level += 1
    }
    levels[level] = carried
    count += 1
  }

  @inline(always) public var total: Double {
    var sum = 0.0
    var level = 0
    while count >> level != 0 {
      if count & (1 << level) != 0 { sum = levels[level] + sum }
      level += 1
    }
    return sum
  }
}
