/// Memory for plain numbers that grows to what is asked of it and is kept until the end.
struct Scratch<Number: BitwiseCopyable>: ~Copyable {
  private(set) var base: UnsafeMutablePointer<Number>
  private var capacity: Int

  init() {
    capacity = 16
    base = UnsafeMutablePointer.allocate(capacity: capacity)
  }

  deinit { base.deallocate() }

  /// Makes room for `count` numbers; those written before are kept.
  @inline(always)
  mutating func reserve(_ count: Int) {
    if capacity < count { grow(count) }
  }

  @inline(never)
  private mutating func grow(_ count: Int) {
    let wider = Swift.max(count, 2 * capacity)
    let next = UnsafeMutablePointer<Number>.allocate(capacity: wider)
    next.update(from: base, count: capacity)
    base.deallocate()
    (base, capacity) = (next, wider)
  }

  @inline(always)
  subscript(_ i: Int) -> Number {
    get { base[i] }
    nonmutating set { base[i] = newValue }
  }
}
