using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Protocols.OpenInference;

/// <summary>Writes failures as the Open Inference Protocol requires.</summary>
internal sealed class OpenInferenceFailureForm : IFailureForm
{
    public Task WriteAsync(HttpResponse response, ProblemDetails problem) => response.WriteAsJsonAsync(
        new OpenInferenceFailure(problem.Detail ?? problem.Title ?? ""),
        OpenInferenceJson.Default.OpenInferenceFailure,
        cancellationToken: response.HttpContext.RequestAborted);
}
