/// Numbers without pattern to the eye, for examples: entry k is (((a k + b) mod m) − c) / d.
public func pattern(
  _ shape: [Int], _ a: Int, _ b: Int, _ m: Int, _ c: Int, _ d: Double
) -> Tensor {
  Tensor(shape, (0..<shape.reduce(1, *)).map { Double((a * $0 + b) % m - c) / d })
}
