using Detection.Contracts.Answers;

namespace Detection.Client;

/// <summary>What became of one of many pictures: an answer, or a failure.</summary>
/// <typeparam name="T">What the picture was read from.</typeparam>
/// <param name="Item">What the picture was read from: a path, a URL, a key of a store.</param>
/// <param name="Answer">What was found.</param>
/// <param name="Failure">Why there is no answer. <see cref="DetectionException.RetryAfter"/> says when to try again, where that is known.</param>
public sealed record DetectionOutcome<T>(T Item, DetectionAnswer? Answer, DetectionException? Failure);
