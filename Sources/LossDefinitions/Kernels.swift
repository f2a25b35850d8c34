// The families' loops, instantiated. A loop is no requirement of `Loss`: a witness of it would be
// compiled once more for numbers not known, which takes longer than all the others.

extension BoxLoss {
  public func kernel(_ batch: Batch<Float>) -> Double { sweep(Baseline.self, batch) }
  public func kernel(_ batch: Batch<Double>) -> Double { sweep(Baseline.self, batch) }
}

extension Entry where L: BoxLoss {
  @inline(always) public init<I: InstructionSet>(_: L.Type, _: I.Type) {
    self.init(float: { $0.sweep(I.self, $1) }, double: { $0.sweep(I.self, $1) })
  }
}

extension ElementLoss {
  public func kernel(_ batch: Batch<Float>) -> Double { sweep(Baseline.self, batch) }
  public func kernel(_ batch: Batch<Double>) -> Double { sweep(Baseline.self, batch) }
}

extension Entry where L: ElementLoss {
  @inline(always) public init<I: InstructionSet>(_: L.Type, _: I.Type) {
    self.init(float: { $0.sweep(I.self, $1) }, double: { $0.sweep(I.self, $1) })
  }
}

extension ClassLoss {
  public func kernel(_ batch: Batch<Float>) -> Double { sweep(Baseline.self, batch) }
  public func kernel(_ batch: Batch<Double>) -> Double { sweep(Baseline.self, batch) }
}

extension Entry where L: ClassLoss {
  @inline(always) public init<I: InstructionSet>(_: L.Type, _: I.Type) {
    self.init(float: { $0.sweep(I.self, $1) }, double: { $0.sweep(I.self, $1) })
  }
}

extension RegionLoss {
  public func kernel(_ batch: Batch<Float>) -> Double { sweep(Baseline.self, batch) }
  public func kernel(_ batch: Batch<Double>) -> Double { sweep(Baseline.self, batch) }
}

extension Entry where L: RegionLoss {
  @inline(always) public init<I: InstructionSet>(_: L.Type, _: I.Type) {
    self.init(float: { $0.sweep(I.self, $1) }, double: { $0.sweep(I.self, $1) })
  }
}

extension RotatedBoxLoss {
  public func kernel(_ batch: Batch<Float>) -> Double { sweep(Baseline.self, batch) }
  public func kernel(_ batch: Batch<Double>) -> Double { sweep(Baseline.self, batch) }
}

extension Entry where L: RotatedBoxLoss {
  @inline(always) public init<I: InstructionSet>(_: L.Type, _: I.Type) {
    self.init(float: { $0.sweep(I.self, $1) }, double: { $0.sweep(I.self, $1) })
  }
}

extension KeypointLoss {
  public func kernel(_ batch: Batch<Float>) -> Double { sweep(Baseline.self, batch) }
  public func kernel(_ batch: Batch<Double>) -> Double { sweep(Baseline.self, batch) }
}

extension Entry where L: KeypointLoss {
  @inline(always) public init<I: InstructionSet>(_: L.Type, _: I.Type) {
    self.init(float: { $0.sweep(I.self, $1) }, double: { $0.sweep(I.self, $1) })
  }
}
