using Detection.Frontend.Http.Problems;
using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Protocols.DeepStack;

/// <summary>Writes failures as DeepStack and CodeProject.AI do.</summary>
internal sealed class DeepStackFailureForm : IFailureForm
{
    public Task WriteAsync(HttpResponse response, ProblemDetails problem) => response.WriteAsJsonAsync(
        new DeepStackFailure(false, problem.Detail ?? problem.Title ?? "", response.StatusCode),
        DeepStackJson.Default.DeepStackFailure,
        cancellationToken: response.HttpContext.RequestAborted);
}
