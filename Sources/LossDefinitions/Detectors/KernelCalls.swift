extension Loss {
  /// L = Σ wᵢ Lᵢ / N over a batch, by the kernel, with its gradient; an array passes as a pointer.
  ///
  /// A batch of no items is 0.
  func total<Element: LaneElement>(
    count: Int, width: Int, _ prediction: UnsafePointer<Element>, _ target: UnsafePointer<Element>?,
    classes: UnsafePointer<Int>? = nil, ignoring ignoredIndex: Int? = nil,
    weights: UnsafePointer<Element>? = nil, over normalizer: Double = 1,
    values: UnsafeMutablePointer<Element>? = nil, gradient: UnsafeMutablePointer<Element>? = nil
  ) -> Double {
    guard count > 0 else { return 0 }
    return Element.kernel(
      self,
      Batch(
        count: count, width: width, targetWidth: Self.targetWidth(for: width),
        prediction: prediction, target: target, indices: classes, ignoredIndex: ignoredIndex,
        weights: weights, normalizer: normalizer, values: values, gradient: gradient))
  }
}
