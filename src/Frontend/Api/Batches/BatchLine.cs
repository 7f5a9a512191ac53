using Detection.Frontend.Api.Detections;
using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Api.Batches;

/// <summary>What became of one picture of a batch. Without an index: what ended the batch before its end.</summary>
/// <param name="Index">Place of the picture in the request, from 0.</param>
/// <param name="Name">Its file name or URL, as it was sent; at most 1000 characters of it.</param>
/// <param name="Result">What was found.</param>
/// <param name="Problem">Why there is no result.</param>
internal sealed record BatchLine(int? Index, string? Name, DetectionBody? Result, ProblemDetails? Problem);
